import { page } from '../../app/page';

export default page({ path: '/account/second-factor', access: 'everybody', load: () => import('./SecondFactor') });
