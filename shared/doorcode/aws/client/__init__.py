"""A small AWS client for the edge, in place of boto3, whose import alone costs several cold starts of Doorcode.

It makes the few calls that the webhook functions make, by boto3's names: DynamoDB's ``get_item``, ``query``,
``update_item`` and ``transact_write_items``, SSM's ``get_parameters`` and SQS's ``send_message``; signs them (Signature
Version 4, session token included), sends them over one kept-alive connection for each host, and raises errors of boto3's
shape. Each call is one request with a deadline; asking again is ``aws.retrying``'s business, save that a request refused
for its time alone is signed anew, once.

What it is not: a general AWS SDK. Credentials are given, and fixed while the process lives (Lambda's environment, without
SnapStart); endpoints are the regional ones of AWS's standard partition, or given; it knows no proxy, redirects, pagination,
binary attributes or streams, and looking up a host's address has no limit of time but the system's. Anything behind the
edge uses boto3.
"""
