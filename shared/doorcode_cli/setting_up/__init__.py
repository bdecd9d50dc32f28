"""``doorcode init``: from a checkout to a bot that works and is owned, step by step, and on from wherever it ended.

``steps`` is the way through; ``answers`` what is asked, ``answers_file`` where that is kept; ``account`` builds and deploys;
each platform's own set-up stands in its room; ``owning`` has the bot be somebody's. What is done is seen by looking at what is
there: nothing is written down about how far it came.
"""
