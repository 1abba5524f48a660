"""What a resource would be, without creating it: outputs by AWS's own forms, the rest marked."""
