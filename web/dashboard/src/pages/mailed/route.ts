import { page } from '../../app/page';

/** Where the links in mails lead. */
export default [
  page({ path: '/account/verify', access: 'everybody', load: () => import('./Verify') }),
  page({ path: '/account/confirm-email', access: 'everybody', load: () => import('./ConfirmEmail') }),
  page({ path: '/account/reset-password', access: 'everybody', load: () => import('./ResetPassword') }),
  page({ path: '/account/accept-invitation', access: 'everybody', load: () => import('./AcceptInvitation') }),
];
