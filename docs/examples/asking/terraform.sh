#!/bin/sh
# Apply a plan only if the owner says yes to exactly this plan. Needs DOORCODE_URL and DOORCODE_TOKEN.
set -eu

terraform plan -input=false -out=plan.tfplan
terraform show -no-color plan.tfplan | tail -c 3500 >plan.txt

# --arguments puts the plan's own checksum under what is approved: the text above may be shortened, the plan may not change.
doorcode ask "Apply this plan in $(basename "$PWD")?" --details - --wait 1h \
  --arguments "{\"sha256\": \"$(sha256sum plan.tfplan | cut -d' ' -f1)\"}" <plan.txt

# It comes here with a yes alone: every other answer, and none, ends the script (set -e).
terraform apply -input=false plan.tfplan
