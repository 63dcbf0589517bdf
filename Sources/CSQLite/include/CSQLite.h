#ifndef CSQLITE_H
#define CSQLITE_H

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift does not import.
int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length);
int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length);

// Has SQLite keep no statistics of its memory, for which every allocation takes a lock. To be called before anything else
// of SQLite; later it changes nothing.
void csqlite_keep_no_statistics(void);

// sqlite3_db_config is variadic, which Swift does not import. Sets a boolean option; returns the result code.
int csqlite_db_config(sqlite3 *database, int option, int value);

// Reads the beginning of the database's file through SQLite's own descriptor and without a lock: a descriptor of our own
// would drop all of this process's locks on the file when it is closed. What the file does not have is zero. Returns the
// result code.
int csqlite_read_header(sqlite3 *database, void *buffer, int length);

// Locks a part of `file`, which was opened as `path`, and has a second process try the same lock. The lock goes when the
// file is closed. Returns 0 when the second process was kept away, 1 when it got the lock too, or minus the errno value.
int csqlite_probe_lock(int file, const char *path);

// Has the kernel ask the server for every directory on the way to a file, where a server has them: what lies at a path is else
// told from what was asked for up to a minute ago, and a directory that was replaced there is not seen. Waits for the server.
void csqlite_ask_server(const char *path);

// Whether a server may have the directory of a file: it does not lie on a file system that is known to be local. Asks a server.
int csqlite_is_remote(const char *path);

// Keeps SQLite from writing to the database that `file` has open, in this process and in others: from beginning a
// transaction that writes, and from rolling one back that its process left. Readers go on. Does not wait; the lock goes when
// the file is closed. Returns 0, or the errno value.
int csqlite_lock_out_writers(int file);

// Page checksums: a VFS that keeps a checksum of each page of a database in the last eight bytes of the page, where SQLite
// leaves room for such things, writes it with the page and compares it when the page is read.
//
// A page that does not have its checksum fails with SQLITE_IOERR_DATA. Other programs read such a database as any other,
// and may copy it page by page; what they write has no valid checksum.

// What a lock fails with that is taken to roll back a journal which is not of the file's last transaction (JournalFit.h): a code of
// our own in the family of I/O errors.
enum { CSQLITE_STRANGE_JOURNAL = SQLITE_IOERR | 200 << 8 };

// The name of the VFS over another one, NULL for SQLite's default; registers it at the first call. NULL without memory.
const char *csqlite_checksum_vfs(const char *base);

// Has a database that is still empty leave room for checksums. Of no effect on any other. Returns the result code.
int csqlite_reserve_checksums(sqlite3 *database);

// The number of the last page, from 1, that failed on this thread.
long long csqlite_damaged_page(void);

// From now on this connection reads pages as they are, damaged or not. What it writes, if only when it rolls back what
// somebody else has left unfinished, has checksums all the same.
void csqlite_read_damaged_pages(sqlite3 *database);

// Compares every page that belongs to something with its checksum; to be called within a transaction, on a connection that
// reads damaged pages. `damaged` takes the numbers of up to `limit` pages, `count` is how many. Returns the result code;
// SQLITE_IOERR_DATA for a file without checksums.
int csqlite_check_pages(sqlite3 *database, long long *damaged, int limit, int *count);

// Whether the file has room for checksums and not one of them: every page was written by another program, as VACUUM and
// VACUUM INTO of SQLite's own shell do. Of a file that has some it reads the first page only. Returns the result code.
int csqlite_has_no_checksums(sqlite3 *database, int *answer);

// A copy of a database's file that others go on writing: passes over the file, each of which copies the pages that differ from
// what was copied.
//
// A pass needs no lock: it copies what lies in the file at that moment. The copy is of one moment when nothing was written to
// the file while the last pass went on, which only the caller can tell; then csqlite_page_copy_damage says whether all of it
// can be believed.
typedef struct csqlite_page_copy csqlite_page_copy;

enum csqlite_copy_kind {
    // Pages without their checksums are damage.
    CSQLITE_COPY_SOUND,
    // As it is, damage included.
    CSQLITE_COPY_AS_IT_IS,
    // With checksums made anew.
    CSQLITE_COPY_SEALED,
};

// `target` is an empty file, and stays the caller's; -1 when only damage is looked for. NULL without memory.
csqlite_page_copy *csqlite_page_copy_begin(sqlite3 *database, int target, enum csqlite_copy_kind kind);
void csqlite_page_copy_end(csqlite_page_copy *copy);

// One pass. What it copies is kept in memory, if that is some megabytes at most, until csqlite_page_copy_write: the target may
// be slow, and whoever holds a lock does not wait for it. Returns the result code of reading, and the errno value of writing
// in `system_error`.
int csqlite_page_copy_pass(csqlite_page_copy *copy, int *system_error);

// Returns 0, or the errno value.
int csqlite_page_copy_write(csqlite_page_copy *copy);

// To be called while nothing is written to the file since the last pass: SQLITE_OK, or what a read of the first damaged page
// returns. Pages that belong to nothing may hold anything.
int csqlite_page_copy_damage(csqlite_page_copy *copy);

#endif
