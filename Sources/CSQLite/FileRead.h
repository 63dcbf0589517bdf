#ifndef FILE_READ_H
#define FILE_READ_H

#include <sqlite3.h>

// Reads from a real file. A read that fails says nothing about what is there: SQLite's own way to files answers EIO with a code
// that SQLite then tells as a damaged database, and whoever believed that would restore a backup because a disk stumbled once.
static inline int read_file(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    int code = file->pMethods->xRead(file, bytes, count, offset);
    return code == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : code;
}

#endif
