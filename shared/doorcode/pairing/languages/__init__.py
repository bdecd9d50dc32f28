"""Translations of ``texts.ENGLISH``: a module for each language, imported when somebody who speaks it is told something."""
