import { use } from 'react';
import { type Language, preferred, useLanguage } from './language';

/** The messages of a page in each language; English says what there must be. */
export interface Catalogue<Messages> {
  in(language: Language): Promise<Messages>;
}

type Loaders<Messages> = Record<Language, () => Promise<{ default: Messages }>>;

/** A catalogue whose languages are loaded when they are first read; the reader's at once, beside what else is being loaded. */
export function catalogue<Messages>(loaders: Loaders<Messages>): Catalogue<Messages> {
  const loading = new Map<Language, Promise<Messages>>();
  const messages: Catalogue<Messages> = {
    in(language) {
      const known = loading.get(language);
      if (known) return known;
      const begun = loaders[language]().then((module) => module.default);
      begun.catch(() => loading.delete(language));
      loading.set(language, begun);
      return begun;
    },
  };
  void messages.in(preferred());
  return messages;
}

/** The messages in the reader's language. */
export function useMessages<Messages>(messages: Catalogue<Messages>): Messages {
  return use(messages.in(useLanguage().language));
}

/** Chooses the words for a number, of which `#` is the place: `count(3, { one: '# reply', other: '# replies' })`. */
export function counting(language: Language) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count: number, forms: { one: string; other: string }) =>
    (rules.select(count) === 'one' ? forms.one : forms.other).replace('#', numbers.format(count));
}
