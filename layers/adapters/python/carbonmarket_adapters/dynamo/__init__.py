"""DynamoDB through PynamoDB. Nothing outside this folder imports pynamodb."""
