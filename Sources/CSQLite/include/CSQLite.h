#ifndef CSQLITE_H
#define CSQLITE_H

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift does not import.
int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length);
int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length);

// sqlite3_db_config is variadic, which Swift does not import. Sets a boolean option; returns the result code.
int csqlite_db_config(sqlite3 *database, int option, int value);

// Reads the beginning of the database's file through SQLite's own descriptor and without a lock: a descriptor of our own
// would drop all of this process's locks on the file when it is closed. What the file does not have is zero. Returns the
// result code.
int csqlite_read_header(sqlite3 *database, void *buffer, int length);

// Locks a part of `file`, which was opened as `path`, and has a second process try the same lock. The lock goes when the
// file is closed. Returns 0 when the second process was kept away, 1 when it got the lock too, or minus the errno value.
int csqlite_probe_lock(int file, const char *path);

#endif
