#!/bin/sh
# Makes the certificates beside this file, for tests of what a client believes. They hold for ten years from when they are made,
# and the tests name the time at which they look. Keys are thrown away.
set -e
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"

key() { openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"; }
# NAME SUBJECT EXTENSION…
own() {
    name=$1 subject=$2
    shift 2
    key "$name"
    openssl req -new -x509 -key "$name.key" -subj "$subject" -days 3652 -out "$name.crt" "$@"
}
# NAME SUBJECT AUTHORITY [EXTENSIONS]
signed() {
    key "$1"
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
    printf '%b' "${4:-basicConstraints=CA:FALSE}" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -days 3652 -extfile "$1.ext" -out "$1.crt"
}

# As PostgreSQL's documentation has people make one: an authority that is its own server.
own documented /CN=dbhost.yourdomain.com
own for_clients /CN=dbhost.yourdomain.com -addext extendedKeyUsage=clientAuth
own authority /CN=authority
signed common_name /CN=db.example.com authority
signed wildcard '/CN=*.example.com' authority
signed address /CN=192.0.2.7 authority
signed twice_named /CN=db.example.com/CN=other.example.com authority
signed alternative /CN=db.example.com authority 'subjectAltName=DNS:other.example.com'
# It may vouch for hosts below internal.example only.
signed bounded /CN=bounded authority 'basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;DNS:internal.example'
signed beyond_bounds /CN=db.example.com bounded

cp -- *.crt "$here"
