update corpus.source set removed_at = now()
where name = %(source)s and removed_at is null
returning name;
