insert into listed_file (source, path, uri, kind, size, mtime_ns, meta_hash, meta, state)
values (%(source)s, %(path)s, %(uri)s, 'document', 0, 0, '', '{}', 'problem')
on conflict (source, path) do update set state = 'problem';
