"""What is judged before it is published: quality, compliance, and the decisions of people."""
