import { act, render } from '@testing-library/react';
import { type ReactNode, Suspense } from 'react';
import { LanguageProvider } from '../i18n/language';
import { ToastProvider } from '../ui/toast';

/** Renders with what every component may expect around it, in English. */
export async function shown(children: ReactNode) {
  localStorage.setItem('earful-language', 'en');
  await act(async () => {
    render(
      <LanguageProvider>
        <Suspense>
          <ToastProvider>{children}</ToastProvider>
        </Suspense>
      </LanguageProvider>,
    );
  });
}
