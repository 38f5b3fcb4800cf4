update corpus.document set meta_hash = 'changed'
where source = %(source)s and status <> 'deleted';
