package auth

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestPasswordHashes(t *testing.T) {
	t.Parallel()
	hash := HashPassword("Passwörter sind 長い")
	if hash == HashPassword("Passwörter sind 長い") {
		t.Error("two hashes of one password are equal")
	}
	weak := "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$"
	for _, tc := range []struct {
		name, password, hash string
		right                bool
	}{
		{"the password", "Passwörter sind 長い", hash, true},
		{"another one", "passwörter sind 長い", hash, false},
		{"no hash", "x", "", false},
		{"another algorithm", "x", strings.Replace(hash, "argon2id", "argon2i", 1), false},
		{"another version", "x", strings.Replace(hash, "v=19", "v=16", 1), false},
		{"no key", "x", weak, false},
		{"a broken key", "x", weak + "!", false},
		{"a broken salt", "x", strings.Replace(weak, "c2FsdHNhbHQ", "!", 1) + "AAAA", false},
		{"no rounds", "x", strings.Replace(weak, "t=1", "t=0", 1) + "AAAA", false},
		{"no lanes", "x", strings.Replace(weak, "p=1", "p=0", 1) + "AAAA", false},
		{"all memory there is", "x", strings.Replace(weak, "m=8", "m=4294967295", 1) + "AAAA", false},
		{"no numbers", "x", strings.Replace(weak, "m=8", "m=x", 1) + "AAAA", false},
	} {
		if checkPassword(tc.password, tc.hash) != tc.right {
			t.Errorf("%s: %v", tc.name, !tc.right)
		}
	}
}

// Each password that is checked takes 19 MiB: a flood of guesses must wait.
func TestNoMoreThanTwoPasswordsAreCheckedAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	s := New(nil, func() time.Time { return now })
	hash := HashPassword("x")
	for range cap(s.slots) {
		s.slots <- struct{}{}
	}
	if cap(s.slots) != 2 {
		t.Errorf("%d at once", cap(s.slots))
	}
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan bool)
	go func() { answered <- s.passwordIsRight(ctx, "x", hash) }()
	select {
	case <-answered:
		t.Error("a third is checked")
	default:
	}
	cancel()
	if <-answered {
		t.Error("a caller who went away was told that his password is right")
	}
	<-s.slots
	if !s.passwordIsRight(t.Context(), "x", hash) {
		t.Error("the right password is wrong")
	}
	s.remember("x", hash, proof{until: now.Add(passwordFresh)})
	// What was right is known for a minute without computing.
	if _, right := s.remembered("x", hash); !right {
		t.Error("what was right is not remembered")
	}
	if _, right := s.remembered("y", hash); right {
		t.Error("a wrong password is taken for it")
	}
	now = now.Add(passwordFresh)
	if _, right := s.remembered("x", hash); right {
		t.Error("it is remembered for longer than a minute")
	}
}
