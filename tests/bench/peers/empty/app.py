"""A function that does nothing: what Python and Lambda's runtime client cost by themselves."""


def handler(event, context):
    """Answer as a webhook does."""
    return {"statusCode": 200}
