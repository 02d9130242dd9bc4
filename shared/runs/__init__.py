"""A run's life: it is due or asked for, starts, goes from step to step, is taken up again, cancelled, ended.

``worker`` does one message and commits what the step decided; ``tick`` is what the timer does.
"""
