"""What can be done with a subscription, split by verb."""
