"""The reference agent: what answers admitted messages. Anyone can attach another consumer to the queue instead.

It has a table of its own, and no access to the one that decides who is let in.
"""
