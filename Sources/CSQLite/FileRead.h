#ifndef FILE_READ_H
#define FILE_READ_H

#include <errno.h>
#include <sqlite3.h>

// Reads from a real file. A read that fails says nothing about what is there: SQLite's own way to files answers EIO with a code
// that SQLite then tells as a damaged database, and whoever believed that would restore a backup because a disk stumbled once.
static inline int read_file(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    int code = file->pMethods->xRead(file, bytes, count, offset);
    return code == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : code;
}

// Writes to a real file. A limit on the size of files, or a quota, is as certain a no as a full disk, which alone SQLite tells so.
static inline int write_file(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    errno = 0;
    int code = file->pMethods->xWrite(file, bytes, count, offset);
    return code == SQLITE_IOERR_WRITE && (errno == EFBIG || errno == EDQUOT) ? SQLITE_FULL : code;
}

#endif
