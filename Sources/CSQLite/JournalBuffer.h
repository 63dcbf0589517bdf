#ifndef JOURNAL_BUFFER_H
#define JOURNAL_BUFFER_H

#include <sqlite3.h>

// SQLite writes three times to its rollback journal for each page that a transaction changes: the page's number, the page,
// a check value. Here they are gathered, and written together. SQLite opens its files with room for these, and for the
// real one behind them.

typedef struct {
    sqlite3_file file;
    sqlite3_file *real;
    // What belongs at `start` of the file and is not there yet; NULL without memory.
    unsigned char *bytes;
    int count;
    sqlite3_int64 start;
    // Where the file of the database tells that it has a journal.
    sqlite3_file **link;
} journal_file;

// Opens a journal. `link` is set to it until it is closed. Returns the result code.
int journal_open(
    sqlite3_vfs *base, sqlite3_filename name, journal_file *file, sqlite3_file **link, int flags, int *out
);

// To be called before the database is changed: a page's old content is in the journal's file before the new one is in the
// database's, however SQLite was told to sync. Returns the result code.
int journal_write(sqlite3_file *journal);

#endif
