import { catalogue, useMessages } from '../i18n/catalogue';

export type ShellMessages = typeof import('./messages.en').default;

const SHELL = catalogue<ShellMessages>({ en: () => import('./messages.en'), de: () => import('./messages.de') });

/** What the frame around all pages and the shared components say. */
export const useShellMessages = () => useMessages(SHELL);
