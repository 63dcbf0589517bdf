#ifndef CSQLITE_H
#define CSQLITE_H

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift does not import.
int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length);
int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length);

// sqlite3_db_config is variadic, which Swift does not import. Sets a boolean option; returns the result code.
int csqlite_db_config(sqlite3 *database, int option, int value);

#endif
