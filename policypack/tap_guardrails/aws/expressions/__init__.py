"""CloudWatch's two little languages: metric math, and the rules of composite alarms."""
