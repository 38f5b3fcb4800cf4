update corpus.source
set uri = ''
where name = %(source)s;
