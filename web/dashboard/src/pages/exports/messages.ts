import { catalogue } from '../../i18n/catalogue';

export type Messages = typeof import('./messages.en').default;

export const MESSAGES = catalogue<Messages>({ en: () => import('./messages.en'), de: () => import('./messages.de') });
