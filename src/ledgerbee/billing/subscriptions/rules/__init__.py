"""Rules of subscriptions. Pure."""
