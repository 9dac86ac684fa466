-- needs: SELECT setting LIKE '%--with-libxml%' FROM pg_config WHERE name = 'CONFIGURE'
-- XML can only be read by a server that was built with libxml.
CREATE SCHEMA xmls;
CREATE TABLE xmls.documents (id integer PRIMARY KEY, document xml, list xml[]);
INSERT INTO xmls.documents VALUES
    (1, '<a b="c">&lt;d&gt; <!-- e --><f/><![CDATA[ <g> ]]></a>', '{<a/>,NULL,"<b c=\"d\"/>"}'),
    (2, 'content, not a document <b/>', '{}'), (3, '', NULL),
    (4, '<?xml version="1.0" encoding="UTF-8"?><ünï>🦀</ünï>', NULL),
    (5, '<?xml version="1.0" standalone="yes"?><a/>', NULL), (6, NULL, NULL);
CREATE VIEW xmls.elements AS SELECT id, xmlelement(name "el", xmlattributes(id AS "i d"), document) AS el FROM xmls.documents;
