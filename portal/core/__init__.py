"""The kernel: settings, database, ids, clock, errors, events, jobs, mail. Imports nothing of ours."""
