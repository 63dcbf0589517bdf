#include "JournalBuffer.h"
#include "FileRead.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 64 * 1024 };

#define CALL(file, method, ...) (file)->real->pMethods->method((file)->real __VA_OPT__(, ) __VA_ARGS__)

// What could not be written stays: SQLite reads it from here when it rolls back, and the next attempt may succeed.
static int flush(journal_file *file) {
    if (file->count == 0) {
        return SQLITE_OK;
    }
    int code = write_file(file->real, file->bytes, file->count, file->start);
    if (code == SQLITE_OK) {
        file->start += file->count;
        file->count = 0;
    }
    return code;
}

static sqlite3_int64 end_of(const journal_file *file) { return file->start + file->count; }

int journal_write(sqlite3_file *journal) { return flush((journal_file *)journal); }

// Only what continues the last write is kept. The header, whose change makes a journal valid, or void, never waits here.
static int buffered_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    journal_file *file = (journal_file *)base;
    int follows = file->bytes && offset > 0 && offset == end_of(file) && count <= CAPACITY;
    if (!follows || file->count + count > CAPACITY) {
        int code = flush(file);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    if (follows) {
        memcpy(file->bytes + file->count, bytes, (size_t)count);
        file->count += count;
        return SQLITE_OK;
    }
    int code = write_file(file->real, bytes, count, offset);
    if (code == SQLITE_OK) {
        file->start = offset + count;
    }
    return code;
}

static int buffered_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    journal_file *file = (journal_file *)base;
    if (file->count == 0 || offset + count <= file->start) {
        return read_file(file->real, bytes, count, offset);
    }
    // A rollback on a full disk has to succeed, so nothing is written for it.
    if (offset >= file->start && offset + count <= end_of(file)) {
        memcpy(bytes, file->bytes + (offset - file->start), (size_t)count);
        return SQLITE_OK;
    }
    int code = flush(file);
    return code == SQLITE_OK ? read_file(file->real, bytes, count, offset) : code;
}

static int buffered_truncate(sqlite3_file *base, sqlite3_int64 size) {
    journal_file *file = (journal_file *)base;
    if (size <= file->start) {
        file->count = 0;
    }
    int code = flush(file);
    return code == SQLITE_OK ? CALL(file, xTruncate, size) : code;
}

static int buffered_sync(sqlite3_file *base, int flags) {
    journal_file *file = (journal_file *)base;
    int code = flush(file);
    return code == SQLITE_OK ? CALL(file, xSync, flags) : code;
}

static int buffered_size(sqlite3_file *base, sqlite3_int64 *size) {
    journal_file *file = (journal_file *)base;
    int code = CALL(file, xFileSize, size);
    if (code == SQLITE_OK && file->count > 0 && *size < end_of(file)) {
        *size = end_of(file);
    }
    return code;
}

// What is still here belongs to pages that nobody has changed in the database: a rollback does not need it.
static int buffered_close(sqlite3_file *base) {
    journal_file *file = (journal_file *)base;
    *file->link = NULL;
    free(file->bytes);
    file->bytes = NULL;
    file->count = 0;
    return CALL(file, xClose);
}

static int buffered_lock(sqlite3_file *base, int level) { return CALL((journal_file *)base, xLock, level); }
static int buffered_unlock(sqlite3_file *base, int level) { return CALL((journal_file *)base, xUnlock, level); }
static int buffered_reserved(sqlite3_file *base, int *is) {
    return CALL((journal_file *)base, xCheckReservedLock, is);
}
static int buffered_control(sqlite3_file *base, int code, void *argument) {
    return CALL((journal_file *)base, xFileControl, code, argument);
}
static int buffered_sector(sqlite3_file *base) { return CALL((journal_file *)base, xSectorSize); }
static int buffered_traits(sqlite3_file *base) { return CALL((journal_file *)base, xDeviceCharacteristics); }

static const sqlite3_io_methods buffered_methods = {
    .iVersion = 1,
    .xClose = buffered_close,
    .xRead = buffered_read,
    .xWrite = buffered_write,
    .xTruncate = buffered_truncate,
    .xSync = buffered_sync,
    .xFileSize = buffered_size,
    .xLock = buffered_lock,
    .xUnlock = buffered_unlock,
    .xCheckReservedLock = buffered_reserved,
    .xFileControl = buffered_control,
    .xSectorSize = buffered_sector,
    .xDeviceCharacteristics = buffered_traits,
};

int journal_open(
    sqlite3_vfs *base, sqlite3_filename name, journal_file *file, sqlite3_file **link, int flags, int *out
) {
    *file = (journal_file){.real = (sqlite3_file *)(file + 1), .link = link, .start = -1};
    file->real->pMethods = NULL;
    int code = base->xOpen(base, name, file->real, flags, out);
    if (code != SQLITE_OK) {
        if (file->real->pMethods) {
            file->real->pMethods->xClose(file->real);
        }
        return code;
    }
    file->bytes = malloc(CAPACITY);
    file->file.pMethods = &buffered_methods;
    *link = &file->file;
    return SQLITE_OK;
}
