delete from corpus.file where source = %(source)s;
