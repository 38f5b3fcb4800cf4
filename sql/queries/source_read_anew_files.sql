update corpus.file set source_hash = null
where source = %(source)s;
