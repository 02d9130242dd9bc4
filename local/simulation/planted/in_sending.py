"""Planted in what is read, compared, sent and acknowledged."""

from local.simulation.planted.faults import Fault, fault

FAULTS: tuple[Fault, ...] = (
    fault(
        "acknowledged before the answer",
        "all batches of a slice that was begun count as taken",
        (
            "shared/send/merge_acknowledged.py",
            "WHERE list_contains($batches::UBIGINT[], s.file_row_number // $batch_rows)\n",
            "WHERE $batches IS NOT NULL\n",
        ),
        (
            "shared/send/merge_acknowledged.py",
            "FROM rows JOIN told USING (batch)\n",
            "FROM rows LEFT JOIN told USING (batch)\n",
        ),
    ),
    fault(
        "a refused person acknowledged",
        "the code is not looked at",
        (
            "shared/send/merge_acknowledged.py",
            "    WHEN code IS NOT NULL THEN code\n",
            "    WHEN code = 0 THEN code\n",
        ),
    ),
    fault(
        "a batch with a refusal offered again",
        "at once, in the hope of better luck",
        (
            "shared/send/import_call.py",
            "        yield rows, _result(imported, slice_, rows)\n",
            "        if imported.failures:\n            bodies = [slice_.bodies[row] for row in rows]\n"
            "            imported = account.import_subscribers(list_id, bodies, resubscribe=resubscribe)\n"
            "        yield rows, _result(imported, slice_, rows)\n",
        ),
    ),
    fault(
        "a failure that is looked for as it is spelt",
        "in capitals it is nobody's",
        (
            "shared/send/import_call.py",
            "refused = {failure.email.strip().lower(): failure.code for failure in imported.failures}",
            "refused = {failure.email: failure.code for failure in imported.failures}",
        ),
    ),
    fault(
        "a failure with blanks around it",
        "it is nobody's",
        (
            "shared/send/import_call.py",
            "refused = {failure.email.strip().lower(): failure.code for failure in imported.failures}",
            "refused = {failure.email.lower(): failure.code for failure in imported.failures}",
        ),
    ),
    fault(
        "a partly taken batch that counts as taken",
        "Code 210 without its failures",
        (
            "shared/send/import_call.py",
            "    refused = {failure.email.strip().lower(): failure.code for failure in imported.failures}\n",
            "    refused: dict[str, int] = {}\n",
        ),
    ),
    fault(
        "a partly taken batch that fails",
        "Code 210 taken for a refusal of the request",
        (
            "shared/campaign_monitor/answers.py",
            "    if code == PARTLY_IMPORTED:\n",
            "    if code == PARTLY_IMPORTED + 1000:\n",
        ),
    ),
    fault(
        "an answer that is forgotten with the next call",
        "of a batch that takes two calls, and is broken off between them, nothing counts",
        (
            "shared/send/batch_turns.py",
            "            self._answered[batch] = self._partly[batch] = error.result\n",
            "",
        ),
    ),
    fault(
        "updated for added",
        "two counts changed places",
        (
            "shared/send/import_call.py",
            "return BatchResult(added=added, updated=taken - added, refused",
            "return BatchResult(added=taken - added, updated=added, refused",
        ),
    ),
    fault(
        "an empty value that clears nothing",
        "Clear is left out",
        (
            "shared/plan/mapping.py",
            """CASE {text} WHEN '' THEN '"","Clear":true' ELSE""",
            """CASE {text} WHEN '' THEN '""' ELSE""",
        ),
    ),
    fault(
        "a segment that cannot be left",
        "the option of a segment that somebody left stays on the list",
        ("shared/plan/segment_options.py", 'item if is_in else item | {"Clear": True}', "item if is_in else {}"),
    ),
    fault(
        "everything is sent each time",
        "the hash of what was acknowledged is not looked at",
        ("shared/plan/changes.py", "WHERE a.hash IS DISTINCT FROM n.hash\n", "WHERE true\n"),
    ),
    fault(
        "who is known is unchanged",
        "a changed value is not sent",
        ("shared/plan/changes.py", "WHERE a.hash IS DISTINCT FROM n.hash\n", "WHERE a.hash IS NULL\n"),
    ),
    fault(
        "a finish that tells its rejects twice",
        "where it is done again, for whoever did it died before they wrote that down, each line stands there twice",
        ("shared/record/rejects.py", "if after and _part(block) == after]", "if after]"),
    ),
    fault(
        "files in the order of letters",
        "the tenth comes before the second, and of two rows of one person the wrong one wins",
        (
            "shared/segments/snapshots.py",
            "return (int(number[1]) if number else 0, name)",
            "return (0, name)",
        ),
    ),
    fault(
        "the last row wins",
        "of two rows of one address in a block",
        ("shared/plan/duplicates.py", "SELECT min(line) AS line, address", "SELECT max(line) AS line, address"),
    ),
    fault(
        "duplicates that are not told",
        "they are counted, and stand in no line",
        (
            "shared/plan/planner.py",
            'rows = self._sql("SELECT * FROM rejected ORDER BY segment, partition, line")',
            "rows = self._sql(\"SELECT * FROM rejected WHERE fault <> 'duplicate_email' ORDER BY ALL\")",
        ),
    ),
    fault(
        "malformed rows that are not counted",
        "they are told, and in no sum",
        (
            "shared/plan/planner.py",
            "            rows_read=account.rows_read + block.rows,\n"
            "            malformed=account.malformed + len(unread),\n",
            "            rows_read=account.rows_read + block.rows - len(unread),\n            malformed=0,\n",
        ),
    ),
    fault(
        "invalid for duplicate",
        "two counts changed places, and the sum is as it was",
        (
            "shared/plan/planner.py",
            "            invalid=account.invalid + invalid,\n            duplicate=account.duplicate + duplicate,\n",
            "            invalid=account.invalid + duplicate,\n            duplicate=account.duplicate + invalid,\n",
        ),
    ),
    fault(
        "an older snapshot taken",
        "of the minutes of a day the first comes first",
        (
            "shared/segments/snapshots.py",
            "        for name in sorted(children, reverse=True):\n",
            "        for name in sorted(children, reverse=level < 3):\n",
        ),
    ),
    fault(
        "a snapshot without its last partition",
        "the list of files is cut by one",
        (
            "shared/segments/snapshots.py",
            "    written_at = max(info.modified for info in files)\n",
            "    partitions = partitions[:-1] or partitions\n    written_at = max(info.modified for info in files)\n",
        ),
    ),
    fault(
        "an address in the log",
        "a warning names whom it is about",
        (
            "shared/send/import_call.py",
            "            \"Campaign Monitor's answer does not add up: %d sent,",
            "            f\"Campaign Monitor's answer does not add up for {slice_.email(rows[0])}: %d sent,",
        ),
    ),
    fault(
        "a wait that nobody asked for",
        "an answer without a number ends the step",
        (
            "shared/campaign_monitor/answers.py",
            "            return min(float(value), LONGEST_WAIT)\n    return None\n",
            '            return min(float(value), LONGEST_WAIT)\n    return float(response.headers["Retry-After"])\n',
        ),
    ),
)
