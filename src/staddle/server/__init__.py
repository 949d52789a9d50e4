"""The service: collects commands into batches, keeps the schedule, sends webhooks, and assembles the application."""
