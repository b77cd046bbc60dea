"""What strategies would do if they entered now, looked at without changing anything."""
