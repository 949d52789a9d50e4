"""The chapters of the story that makes the API's examples, told in the order of their names; see tests/api/story.py."""
