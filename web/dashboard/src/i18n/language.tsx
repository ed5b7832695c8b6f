import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';

/** The languages of the catalogues. A further one is a further key, and tsc names each catalogue that lacks it. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'earful-language';

export interface Speech {
  language: Language;
  /** With the reader's region, for numbers and dates: `en-GB`. */
  locale: string;
  speak(language: Language): void;
}

const Context = createContext<Speech | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo<Speech>(
    () => ({
      language,
      locale: navigator.languages.find((each) => each.split('-')[0] === language) ?? language,
      speak(chosen) {
        localStorage.setItem(KEY, chosen);
        setLanguage(chosen);
      },
    }),
    [language],
  );
  return <Context value={speech}>{children}</Context>;
}

export function useLanguage(): Speech {
  const speech = use(Context);
  if (!speech) throw new Error('There is no language around this');
  return speech;
}

/** What the reader has chosen, or else the browser's. */
export function preferred(): Language {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((each) => each.split('-')[0])];
  return wanted.find((each): each is Language => each !== null && each !== undefined && each in LANGUAGES) ?? 'en';
}
