"""Questions to the owner, where they are asked, answered and told: what the courier and an edge do about them."""
