// Package search finds records by their words: how texts become tokens, how
// queries are read, and the index of documents in PostgreSQL. It does not know
// how a document came to change, nor what may be found by whom.
//
// Tokens are made here and not by PostgreSQL, whose parser knows no Chinese,
// Japanese and Korean and whose dictionaries know one language at a time.
package search
