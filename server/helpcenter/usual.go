package helpcenter

import (
	"strings"

	"github.com/helpd/helpd/server/search"
)

// How many texts at large have a word: one that says nothing of what a text is about,
// and any other. In a help center of one article all of its words are as rare as each
// other, and only this tells "how do I" from what is asked.
const (
	emptyWord = 0.9
	otherWord = 0.05
)

// usual is the share of texts in a language that have a word of a question.
func usual(word, locale string) float64 {
	language, _, _ := strings.Cut(locale, "-")
	if emptyWords[language][search.Fold(word)] {
		return emptyWord
	}
	return otherWord
}

// emptyWords are those of questions that stand in texts of whatever kind, by language
// and as asked cuts words.
var emptyWords = func() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for language, words := range map[string]string{
		"en": `a about after again all also am an and any are as at be because been before but by can can't cannot could did do does doesn't doing don't down
			else ever for from get gets getting go going got had has have having he hello help her here hi him his how i if in into is isn't it its just
			know let like make many may me might more most much must my need needs new no not now of off on one only or other our out over own
			please question questions s same she should so some still such t than thank thanks that the their them then there these they thing things this those to too
			try trying under until up us use used using very want wants was way we well were what when where which while who whom whose why will with
			without won't work works would yes yet you your d ll m re ve dear regards`,
		"de": `aber alle allem allen aller alles als also am an andere auch auf aus bei bin bis bitte da damit danke dann das dass dein dem den denn der des
			dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es etwas euch frage fragen für gegen geht
			gibt hab habe haben hallo hat hatte hier hilfe ich ihm ihn ihnen ihr ihre im immer in ist ja jede kann kein keine können könnte machen man mehr
			mein meine meinem meinen meiner mich mir mit möchte muss nach nicht nichts noch nun nur ob oder ohne schon sehr sein seine sich sie sind so
			soll über um und uns unser unter viel vom von vor war warum was weil wenn wer werde werden wie wieder will wir wird wo wurde zu zum zur`,
		"fr": `a ai ainsi alors après au aucun aussi autre aux avant avec avez avoir bien bonjour car ce cela ces cet cette comme comment d dans de des deux
			dois donc du elle elles en encore est et être eu fait faire fois il ils j je jusqu l la là le les leur lui ma mais me merci mes moi mon n
			ne nos notre nous on ont ou où par pas peu peut peux plus pour pourquoi qu quand question questions que quel quelle qui quoi s sa sans se ses si son sont sous
			sur ta te tes toi ton tous tout toute très tu un une vos votre vous y`,
		"es": `a al algo ante antes así aún ayuda cada como cómo con cual cuál cuando cuándo de del desde donde dónde dos e el él ella ellos en entre era es esa
			ese eso esta está están este esto estos fue gracias ha hace hacer han hasta hay he hola la las le les lo los más me mi mis mucho muy nada ni
			no nos o os otra otro para pero poco por porque pregunta preguntas puede puedo que qué quien quiero se sea ser si sí sin sobre son soy su sus también te tengo
			tiene todo todos tu tus un una uno y ya yo`,
		// By two syllables, or by each two characters.
		"ko": `어떻 어디 언제 누구 무엇 무슨 뭐 왜 어느 얼마 하는 하고 하면 하나 하려 해야 해서 했는 했습 합니 한다 할 할까 되는 되나 되지 됩니 돼요 있나 있는 있습 있어 있을
			없나 없는 없습 없어 싶어 싶습 싶은 제가 저는 나는 내가 우리 이것 그것 저것 이거 그거 수 것 것이 그리 그런 이런 안 안녕 감사 부탁 질문 문의 도와 좀 더 및 또는 때 위해 대해 방법`,
		"ja": `です ます ました でし した して する ため には では とは ので のは のか かっ った って てい いる いま ませ せん ない たい いの 私は 何を どう うす うや やっ すれ れば
			ばい いで すか ある りま こと とが がで でき きま この その あの これ それ から まで ても くだ ださ さい お願 願い 質問 問が いし しま あり りが がと とう 教え えて てく なぜ どこ いつ`,
		"zh": `如何 怎么 么样 怎样 什么 为什 为何 哪里 可以 不能 不会 我们 我的 你们 你的 请问 谢谢 这个 那个 一个 没有 就是 但是 因为 所以 如果 是否 能否 需要 想要 帮助 您好 你好 问题`,
	} {
		out[language] = map[string]bool{}
		for word := range strings.FieldsSeq(words) {
			out[language][search.Fold(word)] = true
		}
	}
	return out
}()
