"""The domain's ports on AWS: DynamoDB, SSM, SQS, EventBridge.

Clients are given, never built here: anything with boto3's low-level method names will do.
"""
