"""The worker process: it holds the functions, runs what the host asks for, and sends back what they log."""
