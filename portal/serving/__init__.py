"""Running the portal: whole requests to the application's threads, the processes, their heartbeats."""
