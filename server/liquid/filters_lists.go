package liquid

import (
	"slices"
	"strings"

	"github.com/osteele/liquid/values"
)

func addListFilters(to map[string]filter) {
	to["join"] = func(_ *run, in any, a args) any { return joined(toList(in), a.text(0, " "), MaxOutput) }
	to["first"] = func(_ *run, in any, _ args) any { return member(in, "first") }
	to["last"] = func(_ *run, in any, _ args) any { return member(in, "last") }
	to["reverse"] = func(_ *run, in any, _ args) any {
		out := slices.Clone(toList(in))
		slices.Reverse(out)
		return out
	}
	to["concat"] = func(_ *run, in any, a args) any { return slices.Concat(toList(in), toList(a.at(0))) }
	to["compact"] = func(_ *run, in any, a args) any {
		return slices.DeleteFunc(slices.Clone(toList(in)), func(v any) bool { return keyed(v, a) == nil })
	}
	to["map"] = func(_ *run, in any, a args) any {
		out := []any{}
		for _, v := range toList(in) {
			out = append(out, keyed(v, a))
		}
		return out
	}
	to["where"] = func(_ *run, in any, a args) any {
		out := []any{}
		for _, v := range toList(in) {
			got := member(v, a.text(0, ""))
			if len(a) > 1 && same(got, a[1]) || len(a) < 2 && got != nil && got != false {
				out = append(out, v)
			}
		}
		return out
	}
	to["uniq"] = func(r *run, in any, a args) any {
		seen := map[string]bool{}
		out := []any{}
		for _, v := range toList(in) {
			key := plain(keyed(v, a))
			if !seen[key] {
				seen[key] = true
				out = append(out, v)
			}
		}
		return out
	}
	to["sort"] = sorted(func(a, b any) int {
		switch x, y := values.ValueOf(a), values.ValueOf(b); {
		case a == nil || b == nil:
			return nilLast(a, b)
		case x.Less(y):
			return -1
		case y.Less(x):
			return 1
		}
		return 0
	})
	to["sort_natural"] = sorted(func(a, b any) int {
		if a == nil || b == nil {
			return nilLast(a, b)
		}
		return strings.Compare(strings.ToLower(plain(a)), strings.ToLower(plain(b)))
	})
	to["sum"] = func(_ *run, in any, a args) any {
		total := whole(0)
		for _, v := range toList(in) {
			total = total.plus(toNumber(keyed(v, a)))
		}
		return total.value()
	}
}

func nilLast(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	}
	return -1
}

func sorted(compare func(a, b any) int) filter {
	return func(r *run, in any, a args) any {
		list := slices.Clone(toList(in))
		slices.SortStableFunc(list, func(x, y any) int {
			if !r.spend(1) {
				return 0
			}
			return compare(keyed(x, a), keyed(y, a))
		})
		return list
	}
}

// keyed is the member of v that the first argument names; without one, v.
func keyed(v any, a args) any {
	if len(a) == 0 {
		return v
	}
	return member(v, a.text(0, ""))
}

func member(v any, name string) any {
	return values.ValueOf(v).PropertyValue(values.ValueOf(name)).Interface()
}
