"""The databases that the tests run against: moto in process, ministack and Amazon's DynamoDB Local beside it."""
