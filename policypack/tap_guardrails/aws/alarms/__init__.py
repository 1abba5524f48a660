"""CloudWatch alarms: what they watch, whether they can fire, whom they tell."""
