"""What Customer Insights left: which files are a segment now, and what their bytes say.

It offers ``snapshots`` (which files), ``csv_records`` (the rows of one) and ``csv_layout`` (how they are written),
``header_row`` (the names of the columns).
"""
