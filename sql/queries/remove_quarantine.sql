delete from ops.quarantine where source = %(source)s;
