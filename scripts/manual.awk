# Turns a generated page into one that a reader of man(1) expects: names with dashes, examples as they are typed, what
# the exit status means, the environment.

function dashes(text) { gsub(/infrakit-manager\./, "infrakit-manager-", text); gsub(/infrakit\./, "infrakit-", text)
    gsub(/INFRAKIT-MANAGER\./, "INFRAKIT-MANAGER-", text); gsub(/INFRAKIT\./, "INFRAKIT-", text)
    while (text ~ /^\.(Xr|Dt) [A-Za-z-]+\.[A-Za-z]/) sub(/\./, "-", text); return text }

function endLiteral() { if (literal) { print ".Ed"; literal = 0 } }

function status() {
    print ".Bl -tag -width 6n"
    manager = program == "infrakit-manager"
    print ".It 0"; print manager ? "done; of diff: no difference" : "done"
    print ".It 1"; print "failed, the sentence says why" (manager ? "; of diff: they differ" : "")
    print ".It 2"; print "wrong usage" (manager ? "; of diff: trouble" : "")
    if (manager) {
        print ".It 3"; print "this replica follows"
        print ".It 4"; print "nobody leads"
        print ".It 5"; print "the store cannot be used"
        print ".It 6"; print "the plugin refused it"
        print ".It 7"; print "recorded, not confirmed yet"
    }
    print ".El"
}

function environment() {
    print ".Sh ENVIRONMENT"
    print "Every flag can be set through the variable that its description names."
    print ".Bl -tag -width 6n"
    print ".It Ev INFRAKIT_PLUGINS_DIR"
    print "where plugins have their sockets (default:"
    print ".Pa ~/.infrakit/plugins )"
    if (program == "infrakit-manager") {
        print ".It Ev INFRAKIT_CONFIG"
        print "a YAML file with flags under their names"
    }
    print ".It Ev NO_COLOR"
    print "anything but the empty text: no colours"
    print ".El"
}

/^\.\\" / { next }
/^\.Dd / { print ".Dd " date; next }
/^\.Xr .*\.help 1/ { next }
/^\.Sh AUTHORS/ { exit }
/^\.Sh "EXIT STATUS"/ { endLiteral(); environment(); print; status(); skip = 1; next }
/^\.Sh / { skip = 0 }
skip { next }
/^\./ { endLiteral(); print dashes(substr($0, 1, 1) == "." ? "." substr($0, 2) : $0); next }
/^Examples?:$/ { print ".Pp"; print "Examples:"; print ".Bd -literal -offset indent"; literal = 1; next }
/^Example: / { print ".Pp"; print "Example:"; print ".Bd -literal -offset indent"; sub(/^Example: /, ""); print; literal = 1; next }
literal { sub(/^  /, ""); gsub(/\\/, "\\e"); if ($0 == "") endLiteral(); else print; next }
/^$/ { print ".Pp"; next }
{ print }
