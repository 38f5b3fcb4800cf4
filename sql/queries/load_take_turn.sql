-- Merges take turns, from here to the end of the transaction: counts of terms never deadlock.
select pg_advisory_xact_lock(hashtext('tidemark merge'));
