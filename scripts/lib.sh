# What the scripts share: source it, do not run it.
#
#   root             the repository
#   say, die         messages on stderr
#   need_go          finds Go
#   need_postgres    finds PostgreSQL's programs, or installs them
#   need_cc          finds a C compiler, or installs one (the race detector
#                    wants it); fails where it may not
#   need_curl        finds curl, or installs it (a test runs the README's
#                    examples)
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'Error: %s\n' "$*" >&2; exit 1; }

need_go() {
	command -v go >/dev/null && return
	PATH=$PATH:/usr/local/go/bin:/opt/homebrew/bin
	command -v go >/dev/null || die "Go is not installed: see https://go.dev/doc/install"
}

# build PACKAGE PROGRAM builds into .bin; the revision is left out where git
# does not give it (a clone that belongs to somebody else).
build() {
	local flags=()
	git -C "$root" rev-parse HEAD >/dev/null 2>&1 || flags=(-buildvcs=false)
	go -C "$root" build ${flags[@]+"${flags[@]}"} -o "$root/.bin/$2" "$1"
}

# may_install succeeds where packages can be installed without asking anyone.
may_install() {
	case $(uname -s) in
	Darwin) command -v brew >/dev/null ;;
	*) command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; } ;;
	esac
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# The places where helpd looks, see server/postgres/embedded_binaries.go.
have_postgres() {
	local dir
	[ -z "${HELPD_PG_BIN:-}" ] || return 0
	for dir in "$(pg_config --bindir 2>/dev/null)" \
		/usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
		/opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
		[ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && return
	done
	command -v initdb >/dev/null && command -v postgres >/dev/null
}

need_postgres() {
	have_postgres && return
	if may_install; then
		say "Installing PostgreSQL, which is not on this machine yet ..."
		if [ "$(uname -s)" = Darwin ]; then brew install postgresql >&2 || true; else apt_postgres || true; fi
	elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
		unpack_postgres
	fi
	have_postgres || die "PostgreSQL is not installed, and this script may not install it.
Debian, Ubuntu: sudo apt-get install postgresql   macOS: brew install postgresql
or name a running server in DATABASE_URL (scripts/test: HELPD_TEST_DATABASE_URL)."
}

# apt_postgres installs the programs without the server on port 5432 that
# Debian makes with them: we start our own. The setting that prevents it comes
# with postgresql-common, and is put back for whoever installs the next version.
apt_postgres() (
	conf=/etc/postgresql-common/createcluster.conf
	as_root apt-get update -qq >&2 || true # an unrelated source may be out of order
	apt_install postgresql-common || return
	saved=$(mktemp)
	cp "$conf" "$saved" || return
	trap 'as_root cp "$saved" "$conf"; rm -f "$saved"' EXIT
	echo "create_main_cluster = false" | as_root tee -a "$conf" >/dev/null || return
	apt_install postgresql
)

# unpack_postgres gets the same packages without being root: it unpacks them
# under .bin, with what they need, where nothing but us finds them.
unpack_postgres() {
	local dir=$root/.bin/postgresql bin libs program
	export HELPD_PG_BIN=$dir/bin
	[ ! -x "$HELPD_PG_BIN/postgres" ] || return 0
	say "Fetching PostgreSQL into .bin, as it is not installed and you are not root ..."
	rm -rf "$dir" "$dir.new"
	if ! download_postgres "$dir.new"; then
		rm -rf "$dir.new"
		unset HELPD_PG_BIN
		return
	fi
	# Wrappers, because the libraries are for these programs only.
	bin=$(cd "$dir.new" && echo usr/lib/postgresql/*/bin)
	libs=$(cd "$dir.new" && find usr/lib lib -name '*.so.*' -printf '%h\n' 2>/dev/null | sort -u | sed "s|^|$dir/|" | paste -sd:)
	for program in initdb postgres; do
		printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libs" "$dir/$bin/$program" >"$dir.new/bin/$program"
		chmod +x "$dir.new/bin/$program"
	done
	mv "$dir.new" "$dir"
}

# download_postgres unpacks the packages into the directory. It asks apt with
# lists of its own: the machine's may be missing, as in most container images.
download_postgres() (
	mkdir -p "$1/deb" "$1/lists/partial" "$1/bin"
	cd "$1/deb" || return
	apt=(apt-get -qq -o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1" -o Debug::NoLocking=1)
	"${apt[@]}" update >&2 || return
	# The C library stays the machine's: programs start with its loader. What
	# is large and not needed for serving (compiling statements, Perl) is left.
	mapfile -t packages < <("${apt[@]}" install --print-uris -y --no-install-recommends postgresql |
		sed -n "s|^'[^']*' \([^_]*\)_.*|\1|p" | grep -vxE 'libc6|libc-bin|libllvm.*|libz3.*|(lib)?perl.*')
	[ "${#packages[@]}" -gt 0 ] && "${apt[@]}" download "${packages[@]}" >&2 || return
	for deb in *.deb; do dpkg-deb -x "$deb" "$1" || return; done
	cd .. && rm -rf deb lists ./*.bin
)

need_cc() {
	[ "$(uname -s)" = Darwin ] && return
	command -v "${CC:-gcc}" >/dev/null && return
	may_install || return
	say "Installing a C compiler for the race detector ..."
	as_root apt-get update -qq >&2 || true
	apt_install gcc libc6-dev
}

need_curl() {
	command -v curl >/dev/null && return
	if may_install && [ "$(uname -s)" != Darwin ]; then
		as_root apt-get update -qq >&2 || true
		apt_install curl ca-certificates
	fi
	command -v curl >/dev/null || die "curl is not installed: sudo apt-get install curl"
}
